import {
  to = servicenow_oidc_provider.inbound
  id = "0123456789abcdef0123456789abcdef"
}
