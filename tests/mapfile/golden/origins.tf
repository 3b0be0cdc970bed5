terraform {
  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = ">= 5.20"
    }
  }
}

resource "cloudflare_origin_cloud_region" "origin_example_com_192_0_2_1" {
  zone_id   = "023e105f4ecef8ad9ca31a8372d0c353"
  origin_ip = "192.0.2.1"
  vendor    = "aws"
  region    = "us-east-1"
}

import {
  to = cloudflare_origin_cloud_region.origin_example_com_192_0_2_1
  id = "023e105f4ecef8ad9ca31a8372d0c353/192.0.2.1"
}

resource "cloudflare_origin_cloud_region" "origin_example_com_20010db8000000000000000000000001" {
  zone_id   = "023e105f4ecef8ad9ca31a8372d0c353"
  origin_ip = "2001:db8::1"
  vendor    = "gcp"
  region    = "us-central1"
}

import {
  to = cloudflare_origin_cloud_region.origin_example_com_20010db8000000000000000000000001
  id = "023e105f4ecef8ad9ca31a8372d0c353/2001:db8::1"
}

resource "cloudflare_origin_cloud_region" "origin_xn--bcher-kva_example_192_0_2_1" {
  zone_id   = "11111111111111111111111111111111"
  origin_ip = "192.0.2.1"
  vendor    = "aws"
  region    = "us-west-2"
}

import {
  to = cloudflare_origin_cloud_region.origin_xn--bcher-kva_example_192_0_2_1
  id = "11111111111111111111111111111111/192.0.2.1"
}
