# The users and grants that the benchmark makes with this provider.

terraform {
  required_providers {
    servicenow = { source = "servicenow-m365/servicenow" }
  }
}

variable "users" {
  type = number
}

variable "role_id" {
  type = string
}

resource "servicenow_integration_user" "all" {
  count     = var.users
  user_name = "robot-${count.index}"
}

resource "servicenow_user_role" "all" {
  count = var.users
  user  = servicenow_integration_user.all[count.index].id
  role  = var.role_id
}
