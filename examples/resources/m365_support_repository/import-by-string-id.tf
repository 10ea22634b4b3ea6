import {
  provider = servicenow
  to       = m365_support_repository.this
  id       = "contoso.service-now.com"
}
