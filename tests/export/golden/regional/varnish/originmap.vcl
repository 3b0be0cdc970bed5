vcl 4.1;

import directors;
import std;

acl originmap_a_11111111111111111111111111111111_fra_iad +table {
    "192.0.2.1";
    "192.0.2.2";
    "::1:2";
}
acl originmap_a_11111111111111111111111111111111_fra_nrt +table {
    "203.0.113.7";
    "2001:db8::1";
}
sub originmap_z_11111111111111111111111111111111 {
    if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_11111111111111111111111111111111_fra_iad) {
        call originmap_fill_fra_iad;
    } else if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_11111111111111111111111111111111_fra_nrt) {
        call originmap_fill_fra_nrt;
    } else {
        call originmap_fill_nrt_fra;
    }
}

sub originmap_z_22222222222222222222222222222222 {
    {
    }
}

sub originmap_z_33333333333333333333333333333333 {
    {
        call originmap_fill_nrt_fra;
    }
}

acl originmap_a_44444444444444444444444444444444_fra_iad +table {
    "192.0.2.1";
}
acl originmap_a_44444444444444444444444444444444_fra_nrt +table {
    "2001:db8::1";
}
sub originmap_z_44444444444444444444444444444444 {
    if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_44444444444444444444444444444444_fra_iad) {
        call originmap_fill_fra_iad;
    } else if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_44444444444444444444444444444444_fra_nrt) {
        call originmap_fill_fra_nrt;
    } else {
        call originmap_fill_nrt_fra;
    }
}

sub originmap_z_55555555555555555555555555555555 {
    {
        call originmap_fill_nrt_fra;
    }
}

backend originmap_b_fra {
    .host = "192.0.2.99";
    .port = "82";
    .probe = originmap_probe;
}
backend originmap_b_iad {
    .host = "iad.cache.example.net";
    .port = "8080";
    .probe = originmap_probe;
}
backend originmap_b_nrt {
    .host = "2001:db8::99";
    .port = "81";
    .probe = originmap_probe;
}

sub vcl_init {
    new originmap_d_fra_iad = directors.fallback();
    originmap_d_fra_iad.add_backend(originmap_b_fra);
    originmap_d_fra_iad.add_backend(originmap_b_iad);
    new originmap_d_fra_nrt = directors.fallback();
    originmap_d_fra_nrt.add_backend(originmap_b_fra);
    originmap_d_fra_nrt.add_backend(originmap_b_nrt);
    new originmap_d_nrt_fra = directors.fallback();
    originmap_d_nrt_fra.add_backend(originmap_b_nrt);
    originmap_d_nrt_fra.add_backend(originmap_b_fra);
}

sub originmap_fill_fra_iad {
    set req.backend_hint = originmap_d_fra_iad.backend();
}
sub originmap_fill_fra_nrt {
    set req.backend_hint = originmap_d_fra_nrt.backend();
}
sub originmap_fill_nrt_fra {
    set req.backend_hint = originmap_d_nrt_fra.backend();
}
sub originmap_choose {
    if (req.http.X-Originmap-Zone == "example.com") {
        call originmap_z_11111111111111111111111111111111;
    }
    if (req.http.X-Originmap-Zone == "off.example") {
        call originmap_z_22222222222222222222222222222222;
    }
    if (req.http.X-Originmap-Zone == "generic.example") {
        call originmap_z_33333333333333333333333333333333;
    }
    if (req.http.X-Originmap-Zone == "other.example") {
        call originmap_z_44444444444444444444444444444444;
    }
    if (req.http.X-Originmap-Zone == "empty.example") {
        call originmap_z_55555555555555555555555555555555;
    }
}
