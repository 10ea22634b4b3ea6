terraform {
  required_version = ">= 1.11.0"

  required_providers {
    servicenow = {
      source  = "servicenow-m365/servicenow"
      version = "~> 0.1"
    }
  }
}

# Signs in with the environment variables SERVICENOW_*.
provider "servicenow" {}

module "vendor_table" {
  source = "../.."

  name  = "u_vendor"
  label = "Vendor"

  columns = {
    u_code  = { label = "Code", mandatory = true, unique = true, max_length = 10, display = true }
    u_owner = { label = "Owner", type = "reference", reference = "sys_user" }
    u_tier = {
      label   = "Tier"
      default = "3"
      choices = [
        { value = "1", label = "Strategic" },
        { value = "2", label = "Preferred" },
        { value = "3", label = "Approved" },
      ]
    }
  }
}
