data "m365_support_connector_addresses" "this" {
  provider = servicenow
}

# Step O1. Rules that allow have no effect on an instance without a rule that denies.
resource "servicenow_ip_access_rule" "connector" {
  for_each = toset(data.m365_support_connector_addresses.this.documented)

  type        = "allow"
  direction   = "inbound"
  range_start = each.key
  range_end   = each.key
  description = "Microsoft 365 support connector"
}
