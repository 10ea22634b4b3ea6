# What becomes of columns and choices. Runs without an account: the provider is mocked.

mock_provider "servicenow" {}

variables {
  name = "u_vendor"
}

run "columns_and_choices" {
  command = apply

  variables {
    label = "Vendor"
    columns = {
      u_code = { mandatory = true, unique = true, max_length = 10 }
      u_tier = { label = "Tier", choices = [{ value = "1", label = "Strategic" }, { value = "2" }] }
      u_user = { type = "reference", reference = "sys_user" }
    }
  }

  assert {
    condition     = servicenow_record.table.fields.label == "Vendor" && servicenow_record.table.deletion_policy == "keep"
    error_message = "The table is not the one that was asked for."
  }

  assert {
    condition = (
      servicenow_record.column["u_code"].fields.mandatory == "true"
      && servicenow_record.column["u_code"].fields.max_length == "10"
      && servicenow_record.column["u_code"].fields.column_label == "u_code"
      && servicenow_record.column["u_user"].fields.reference == "sys_user"
      && servicenow_record.column["u_tier"].fields.choice == "1"
      && !contains(keys(servicenow_record.column["u_code"].fields), "choice")
    )
    error_message = "A column is not the one that was asked for."
  }

  assert {
    condition = (
      servicenow_record.choice["u_tier=2"].fields.label == "2"
      && servicenow_record.choice["u_tier=2"].fields.sequence == "200"
      && length(servicenow_record.choice) == 2
    )
    error_message = "A choice is not the one that was asked for."
  }
}

run "extends" {
  command = apply

  variables {
    extends = "task"
  }

  assert {
    condition     = servicenow_record.table.fields.super_class == data.servicenow_record.extends[0].id
    error_message = "The table does not extend the one that was asked for."
  }
}

run "name_without_prefix" {
  command = plan

  variables {
    name = "vendor"
  }

  expect_failures = [var.name]
}

run "column_without_prefix" {
  command = plan

  variables {
    columns = { code = {} }
  }

  expect_failures = [var.columns]
}

run "reference_without_table" {
  command = plan

  variables {
    columns = { u_user = { type = "reference" } }
  }

  expect_failures = [var.columns]
}
