data "m365_support_connector_addresses" "this" {
  provider = servicenow
}

output "addresses_for_the_firewall" {
  description = "The documented addresses, and those that the connector's name resolves to now."
  value       = data.m365_support_connector_addresses.this.addresses
}
