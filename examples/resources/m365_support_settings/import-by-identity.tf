import {
  provider = servicenow
  to       = m365_support_settings.this

  identity = {
    tenant_id = "44444444-4444-4444-8444-444444444444"
  }
}
