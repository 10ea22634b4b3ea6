# A table, its columns and the choices of these. ServiceNow describes its tables in tables of its own, so each is a record.

data "servicenow_record" "extends" {
  count = var.extends == null ? 0 : 1

  table       = "sys_db_object"
  natural_key = { name = var.extends }
  columns     = ["name"]
}

resource "servicenow_record" "table" {
  table       = "sys_db_object"
  natural_key = ["name"]

  fields = merge(
    {
      name          = var.name
      label         = coalesce(var.label, var.name)
      is_extendable = tostring(var.extendable)
    },
    { for parent in data.servicenow_record.extends : "super_class" => parent.id },
  )

  application_scope = var.application_scope
  deletion_policy   = var.deletion_policy

  lifecycle {
    # A table gets its columns from the one that it extends, once and for all.
    precondition {
      condition     = var.extends != var.name
      error_message = "A table cannot extend itself."
    }
  }
}

resource "servicenow_record" "column" {
  for_each = var.columns

  table       = "sys_dictionary"
  natural_key = ["name", "element"]

  fields = {
    for column, value in {
      name          = servicenow_record.table.fields.name
      element       = each.key
      column_label  = coalesce(each.value.label, each.key)
      internal_type = each.value.type
      max_length    = each.value.max_length == null ? null : tostring(each.value.max_length)
      mandatory     = tostring(each.value.mandatory)
      read_only     = tostring(each.value.read_only)
      unique        = tostring(each.value.unique)
      display       = tostring(each.value.display)
      default_value = each.value.default
      reference     = each.value.reference
      # 1: the choices with "-- None --", 3: without.
      choice = length(each.value.choices) == 0 ? null : each.value.mandatory ? "3" : "1"
    } : column => value if value != null
  }

  application_scope = var.application_scope
  deletion_policy   = var.deletion_policy
}

locals {
  choices = merge([
    for element, column in var.columns : {
      for number, choice in column.choices : "${element}=${choice.value}" => {
        element  = element
        value    = choice.value
        label    = coalesce(choice.label, choice.value)
        sequence = tostring((number + 1) * 100)
      }
    }
  ]...)
}

resource "servicenow_record" "choice" {
  for_each = local.choices

  table       = "sys_choice"
  natural_key = ["name", "element", "value", "language"]

  fields = {
    name     = servicenow_record.table.fields.name
    element  = servicenow_record.column[each.value.element].fields.element
    value    = each.value.value
    label    = each.value.label
    sequence = each.value.sequence
    language = var.language
  }

  application_scope = var.application_scope
  deletion_policy   = var.deletion_policy
}
