variable "instance_url" {
  description = "Address of the ServiceNow instance."
  type        = string
}

variable "organization" {
  description = "Organization in HCP Terraform."
  type        = string
}

variable "project" {
  description = "Project of the workspace in HCP Terraform."
  type        = string
  default     = "Default Project"
}

variable "workspace" {
  description = "Name of the workspace in HCP Terraform."
  type        = string
}

variable "workspace_id" {
  description = "ID of the workspace, as its page shows it. It is the user name of the run's user at the instance, because it is the same in plan and apply; the token's subject is not."
  type        = string

  validation {
    condition     = startswith(var.workspace_id, "ws-")
    error_message = "workspace_id must be the workspace's ID, which begins with ws-, not its name."
  }
}

variable "issuer" {
  description = "Address of HCP Terraform or Terraform Enterprise, without a slash at its end."
  type        = string
  default     = "https://app.terraform.io"

  validation {
    condition     = !endswith(var.issuer, "/")
    error_message = "issuer must not end with a slash: Entra compares it character by character."
  }
}

variable "servicenow_audience" {
  description = "Audience of the tokens that sign in to ServiceNow. Any text that nothing else uses."
  type        = string
  default     = "servicenow.workload.identity"
}

variable "run_user_roles" {
  description = "Roles of the run's user at the instance. Table access needs `admin`; without `readable_by_all_scopes` and IP rules `oauth_admin` and `user_admin` go a long way."
  type        = set(string)
  default     = ["admin"]
}
