import {
  provider = servicenow
  to       = m365_support_repository.this

  identity = {
    repository_id = "contoso.service-now.com"
  }
}
