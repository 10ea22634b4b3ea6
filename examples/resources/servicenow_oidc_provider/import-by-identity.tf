import {
  to = servicenow_oidc_provider.inbound

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
