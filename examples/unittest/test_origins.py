"""Run it in this folder with: python -m unittest"""

import unittest

from cloudflare import Cloudflare, PermissionDeniedError
from origins import map_origins

from originmap.testing import Server

REGIONS = {"192.0.2.1": ("aws", "us-east-1"), "2001:db8::1": ("gcp", "us-central1")}


class MapOrigins(unittest.TestCase):
    """One server for all tests, reset before each."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())
        cls.client = cls.enterClassContext(
            Cloudflare(base_url=cls.server.base_url, api_token=cls.server.token)
        )

    def setUp(self):
        self.server.reset()

    def map_origins(self):
        map_origins(self.client, self.server.zone_id, REGIONS)

    def test_all_origins_are_mapped_in_one_request(self):
        self.map_origins()
        self.assertEqual(self.server.mappings(), REGIONS)
        self.assertEqual([r.operation for r in self.server.requests], ["put_mappings"])

    def test_a_request_is_repeated_after_the_rate_limit(self):
        self.server.rate_limit("put_mappings", retry_after=1)
        self.map_origins()
        self.assertEqual([r.status for r in self.server.requests], [429, 200])

    def test_an_address_that_the_api_refuses_is_named(self):
        self.server.partial("put_mappings", ["192.0.2.1"])
        with self.assertRaisesRegex(ValueError, r"192\.0\.2\.1"):
            self.map_origins()
        self.assertEqual(self.server.mappings(), {"2001:db8::1": ("gcp", "us-central1")})

    def test_a_full_zone_is_an_error(self):
        self.server.fail("put_mappings", code=1164)
        with self.assertRaises(PermissionDeniedError):
            self.map_origins()
        self.assertEqual(self.server.mappings(), {})


if __name__ == "__main__":
    unittest.main()
