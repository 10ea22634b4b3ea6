variable "instance_url" {
  description = "Address of the ServiceNow instance, such as https://contoso.service-now.com."
  type        = string
}

variable "tenant_id" {
  description = "Microsoft Entra tenant ID."
  type        = string
}

variable "test_environment" {
  description = "Whether this is a test instance: names then begin with dev_."
  type        = bool
  default     = false
  nullable    = false
}

variable "administrators" {
  description = "User names of those who may open cases with Microsoft, separated by commas."
  type        = string
  default     = ""
  nullable    = false
}

variable "insights_users" {
  description = "User names of those who may see health incidents and solutions, separated by commas."
  type        = string
  default     = ""
  nullable    = false
}

variable "rotate" {
  description = "Change this text to rotate all secrets without a gap."
  type        = string
  default     = "1"
  nullable    = false
}
