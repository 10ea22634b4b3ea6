terraform {
  required_version = ">= 1.11.0"

  required_providers {
    servicenow = {
      source  = "servicenow-m365/servicenow"
      version = "~> 0.1"
    }
  }
}

# Credentials come from the environment: SERVICENOW_USERNAME and SERVICENOW_PASSWORD, or SERVICENOW_CLIENT_ID and
# SERVICENOW_CLIENT_SECRET, for the instance; for the admin center, which requires a person's sign-in, M365_REFRESH_TOKEN and
# the ARM_CLIENT_ID that it belongs to.
provider "servicenow" {
  instance_url = "https://contoso.service-now.com"

  microsoft365 = {
    tenant_id = "44444444-4444-4444-8444-444444444444"
  }
}

# Resources of both sides belong to this one provider. Those whose names begin with m365_ must set `provider`. Without them
# nobody signs in to Microsoft, and the block `microsoft365` can be omitted.
resource "m365_support_settings" "this" {
  provider = servicenow

  application_id = "11111111-1111-4111-8111-111111111111"
}
