variable "rest_user_client_secret" {
  description = "Secret of the application as which Microsoft calls."
  type        = string
  ephemeral   = true
}

# Calls the instance in the same way as Microsoft, in every plan and apply, and fails with the cause when the call is refused.
ephemeral "servicenow_inbound_check" "this" {
  tenant        = "contoso.com"
  audience      = "22222222-2222-4222-8222-222222222222" # the inbound application
  client_id     = "33333333-3333-4333-8333-333333333333" # the REST user application
  client_secret = var.rest_user_client_secret
}
