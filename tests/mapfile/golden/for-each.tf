terraform {
  required_version = ">= 1.7"

  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = ">= 5.20"
    }
  }
}

locals {
  origin_cloud_regions = {
    "023e105f4ecef8ad9ca31a8372d0c353/192.0.2.1"   = { zone_id = "023e105f4ecef8ad9ca31a8372d0c353", origin_ip = "192.0.2.1", vendor = "aws", region = "us-east-1" }
    "023e105f4ecef8ad9ca31a8372d0c353/2001:db8::1" = { zone_id = "023e105f4ecef8ad9ca31a8372d0c353", origin_ip = "2001:db8::1", vendor = "gcp", region = "us-central1" }
    "11111111111111111111111111111111/192.0.2.1"   = { zone_id = "11111111111111111111111111111111", origin_ip = "192.0.2.1", vendor = "aws", region = "us-west-2" }
  }
}

resource "cloudflare_origin_cloud_region" "origin" {
  for_each = local.origin_cloud_regions

  zone_id   = each.value.zone_id
  origin_ip = each.value.origin_ip
  vendor    = each.value.vendor
  region    = each.value.region
}

import {
  for_each = local.origin_cloud_regions

  to = cloudflare_origin_cloud_region.origin[each.key]
  id = each.key
}
