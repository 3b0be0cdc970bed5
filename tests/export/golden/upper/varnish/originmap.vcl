vcl 4.1;

import directors;
import std;

acl originmap_a_11111111111111111111111111111111_fra +table {
    "192.0.2.2";
    "::1:2";
}
acl originmap_a_11111111111111111111111111111111_nrt_fra +table {
    "203.0.113.7";
    "2001:db8::1";
}
sub originmap_z_11111111111111111111111111111111 {
    if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_11111111111111111111111111111111_fra) {
        call originmap_fill_fra;
    } else if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_11111111111111111111111111111111_nrt_fra) {
        call originmap_fill_nrt_fra;
    } else {
    }
}

sub originmap_z_22222222222222222222222222222222 {
    {
    }
}

sub originmap_z_33333333333333333333333333333333 {
    {
    }
}

acl originmap_a_44444444444444444444444444444444_fra +table {
    "192.0.2.1";
}
acl originmap_a_44444444444444444444444444444444_nrt_fra +table {
    "2001:db8::1";
}
sub originmap_z_44444444444444444444444444444444 {
    if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_44444444444444444444444444444444_fra) {
        call originmap_fill_fra;
    } else if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_44444444444444444444444444444444_nrt_fra) {
        call originmap_fill_nrt_fra;
    } else {
    }
}

sub originmap_z_55555555555555555555555555555555 {
    {
    }
}

backend originmap_b_fra {
    .host = "192.0.2.99";
    .port = "82";
    .probe = originmap_probe;
}
backend originmap_b_nrt {
    .host = "2001:db8::99";
    .port = "81";
    .probe = originmap_probe;
}

sub vcl_init {
    new originmap_d_fra = directors.fallback();
    originmap_d_fra.add_backend(originmap_b_fra);
    new originmap_d_nrt_fra = directors.fallback();
    originmap_d_nrt_fra.add_backend(originmap_b_nrt);
    originmap_d_nrt_fra.add_backend(originmap_b_fra);
}

sub originmap_fill_fra {
    set req.backend_hint = originmap_d_fra.backend();
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
