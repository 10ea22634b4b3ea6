# Checks everything the integration needs, with the account's rights.
check "ready" {
  data "servicenow_integration_readiness" "this" {}

  assert {
    condition = data.servicenow_integration_readiness.this.ready
    error_message = join("\n", [
      for check in data.servicenow_integration_readiness.this.checks : "${check.name}: ${check.detail} ${check.remedy}"
      if check.status == "fail"
    ])
  }
}
