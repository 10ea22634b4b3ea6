import {
  provider = servicenow
  to       = m365_support_repository.this

  identity = {
    repository_id = "contoso.service-now.com"
    tenant_id     = "44444444-4444-4444-8444-444444444444"
  }
}
