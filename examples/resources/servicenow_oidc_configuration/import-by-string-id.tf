import {
  to = servicenow_oidc_configuration.entra
  id = "0123456789abcdef0123456789abcdef"
}
