import {
  to = servicenow_oidc_configuration.entra

  identity = {
    sys_id = "0123456789abcdef0123456789abcdef"
  }
}
