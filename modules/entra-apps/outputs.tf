locals {
  # Not with try(), which makes the whole object unknown as long as its secret is: during a rotation Terraform would then
  # replace whatever depends on the client ID.
  inbound   = one([for role, application in local.applications : application if role == "inbound"])
  rest_user = one([for role, application in local.applications : application if role == "rest_user"])

  # azuread has no write-only arguments: the secrets are in the state of this module, whatever is done with them here.
  applications = {
    for role in local.roles : role => {
      client_id                   = azuread_application.this[role].client_id
      object_id                   = azuread_application.this[role].object_id
      service_principal_object_id = azuread_service_principal.this[role].object_id
      client_secret               = azuread_application_password.this[role].value
      secret_version              = azuread_application_password.this[role].key_id
    }
  }
}

output "outbound" {
  description = "The application with which ServiceNow signs in to Microsoft (A1): `client_id`, `object_id`, `service_principal_object_id` (the one that tokens carry in `oid` and `sub`), `client_secret`, and `secret_version` (the secret's key ID). Fits the input of the same name of the module `m365-support-integration`."
  value       = local.applications["outbound"]
  sensitive   = true
}

output "inbound" {
  description = "The application that is the audience of Microsoft's calls to ServiceNow (A2), in the same form. Null in variants that have none."
  value       = local.inbound
  sensitive   = true
}

output "rest_user" {
  description = "The application as which Microsoft calls ServiceNow (A3), in the same form. Null in variants that have none."
  value       = local.rest_user
  sensitive   = true
}

output "application_ids" {
  description = "Resource IDs of the applications (`/applications/{object ID}`) by role, for further azuread resources such as certificates."
  value       = { for role in local.roles : role => azuread_application.this[role].id }
}

output "client_ids" {
  description = "Client IDs of the applications by role. Not secret, so that they can be shown and used in `for_each`."
  value       = { for role in local.roles : role => azuread_application.this[role].client_id }
}

output "secrets_expire_at" {
  description = "When the client secrets end, in RFC 3339."
  value       = timeadd(terraform_data.issued.input, var.secret_lifetime)
}
