# The same users and grants with the provider tylerhatton/servicenow.

terraform {
  required_providers {
    servicenow = { source = "tylerhatton/servicenow" }
  }
}

variable "users" {
  type = number
}

variable "role_id" {
  type = string
}

resource "servicenow_user" "all" {
  count     = var.users
  user_name = "robot-${count.index}"
  last_name = "robot-${count.index}"
}

resource "servicenow_user_role" "all" {
  count = var.users
  user  = servicenow_user.all[count.index].id
  role  = var.role_id
}
