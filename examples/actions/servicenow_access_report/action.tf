variable "rest_user_client_secret" {
  description = "Secret of the application that the integration signs in as."
  type        = string
  ephemeral   = true
}

# terraform apply -invoke=action.servicenow_access_report.now
action "servicenow_access_report" "now" {
  config {
    tenant        = "contoso.com"
    audience      = "22222222-2222-4222-8222-222222222222" # the inbound application
    client_id     = "33333333-3333-4333-8333-333333333333" # the REST user application
    client_secret = var.rest_user_client_secret

    tables = [
      { name = "kb_knowledge", columns = ["text"], query = "workflow_state=published", may_hide_rows = true },
      { name = "user_criteria" },
    ]
  }
}
