variable "instance_url" {
  description = "Address of the ServiceNow instance."
  type        = string
}

variable "tenant_id" {
  description = "Microsoft Entra tenant ID."
  type        = string
}

variable "login_url" {
  description = "Entra's address as the ServiceNow instance must see it."
  type        = string
  default     = "https://login.microsoftonline.com"
}

variable "rotate" {
  description = "Change this text to rotate all secrets without a gap."
  type        = string
  default     = "1"
}

variable "manage_admin_center" {
  description = "Whether to write to the Microsoft 365 admin center. Its API knows people, not applications: without a person in the run, enter the values manually instead."
  type        = bool
  default     = false
}

variable "administrators" {
  description = "User names of those who may open cases with Microsoft."
  type        = set(string)
  default     = []
}

variable "insights_users" {
  description = "User names of those who may see health incidents and solutions."
  type        = set(string)
  default     = []
}
