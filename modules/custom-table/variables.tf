variable "name" {
  description = "Name of the table, such as `u_supplier`; `x_<scope>_…` in an application of its own."
  type        = string

  validation {
    condition     = can(regex("^[ux]_[a-z0-9_]+$", var.name)) && length(var.name) <= 80
    error_message = "name must begin with u_ or x_, followed by lower-case letters, digits and underscores, and have at most 80 characters."
  }
}

variable "label" {
  description = "What people call a record of the table. The name if omitted."
  type        = string
  default     = null
}

variable "extends" {
  description = "Name of the table whose columns it inherits, such as `task`. The platform lets nobody change it later."
  type        = string
  default     = null
}

variable "extendable" {
  description = "Whether other tables may extend it."
  type        = bool
  default     = false
  nullable    = false
}

variable "columns" {
  description = "Columns by name. `type` is the dictionary's: `string`, `boolean`, `integer`, `decimal`, `glide_date`, `glide_date_time`, `reference`, `url`, `email`, `password2`. `reference` is the name of the table that a reference points to. `choices` are offered in their order; `label` is the value if omitted."
  type = map(object({
    type       = optional(string, "string")
    label      = optional(string)
    max_length = optional(number)
    mandatory  = optional(bool, false)
    read_only  = optional(bool, false)
    unique     = optional(bool, false)
    display    = optional(bool, false)
    default    = optional(string)
    reference  = optional(string)
    choices = optional(list(object({
      value = string
      label = optional(string)
    })), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.columns) : can(regex("^[ux]_[a-z0-9_]+$", name))])
    error_message = "The name of a column must begin with u_ or x_, followed by lower-case letters, digits and underscores: the platform puts u_ before any other name, and the next plan would differ."
  }

  validation {
    condition     = alltrue([for column in values(var.columns) : (column.type == "reference") == (column.reference != null)])
    error_message = "A column of type reference names the table that it points to in reference, and no other column does."
  }

  validation {
    condition     = length([for column in values(var.columns) : column if column.display]) <= 1
    error_message = "One column at most stands for the record (display)."
  }
}

variable "application_scope" {
  description = "Application that owns the table: `global`, a scope or a sys_id. The account's current application if omitted."
  type        = string
  default     = null
}

variable "language" {
  description = "Language of the labels of choices."
  type        = string
  default     = "en"
  nullable    = false
}

variable "deletion_policy" {
  description = "What a destroy does with the table, its columns and choices: `keep` leaves them. `delete` deletes them, and the platform then drops the table **with all of its records**, or the column with all of its values."
  type        = string
  default     = "keep"
  nullable    = false

  validation {
    condition     = contains(["keep", "delete"], var.deletion_policy)
    error_message = "deletion_policy must be keep or delete."
  }
}
