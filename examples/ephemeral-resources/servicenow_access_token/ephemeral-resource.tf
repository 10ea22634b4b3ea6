# A token for another tool of the same run. It is in no plan and no state.
ephemeral "servicenow_access_token" "this" {}
