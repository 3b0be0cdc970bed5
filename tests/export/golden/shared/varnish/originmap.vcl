vcl 4.1;

import directors;
import std;

acl originmap_a_11111111111111111111111111111111_fra_iad +table {
    "192.0.2.2";
    "::1:2";
}
acl originmap_a_11111111111111111111111111111111_iad_fra +table {
    "192.0.2.1";
}
sub originmap_z_11111111111111111111111111111111 {
    if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_11111111111111111111111111111111_fra_iad) {
        call originmap_fill_fra_iad;
    } else if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_11111111111111111111111111111111_iad_fra) {
        call originmap_fill_iad_fra;
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
sub originmap_z_44444444444444444444444444444444 {
    if (std.ip(req.http.X-Originmap-IP, "0.0.0.0") ~ originmap_a_44444444444444444444444444444444_fra_iad) {
        call originmap_fill_fra_iad;
    } else {
        call originmap_fill_nrt_fra;
    }
}

sub originmap_z_55555555555555555555555555555555 {
    {
        call originmap_fill_nrt_fra;
    }
}

backend originmap_b_fra_fra-1 {
    .host = "192.0.2.21";
    .port = "80";
    .probe = originmap_probe;
}
backend originmap_b_fra_fra-2 {
    .host = "fra-2.example.net";
    .port = "80";
    .probe = originmap_probe;
}
backend originmap_b_iad_iad-1 {
    .host = "192.0.2.11";
    .port = "8080";
    .probe = originmap_probe;
}
backend originmap_b_iad_iad-2 {
    .host = "192.0.2.12";
    .port = "8080";
    .probe = originmap_probe;
}
backend originmap_b_iad_iad-4 {
    .host = "iad-4.example.net";
    .port = "80";
    .probe = originmap_probe;
}
backend originmap_b_nrt_nrt {
    .host = "nrt.cache.example.net";
    .port = "8080";
    .probe = originmap_probe;
}

sub vcl_init {
    new originmap_r_fra = directors.shard();
    originmap_r_fra.add_backend(originmap_b_fra_fra-1, "fra-1", weight=1.0);
    originmap_r_fra.add_backend(originmap_b_fra_fra-2, "fra-2", weight=1.0);
    originmap_r_fra.reconfigure(1000);
    new originmap_r_iad = directors.shard();
    originmap_r_iad.add_backend(originmap_b_iad_iad-1, "iad-1", weight=1.0);
    originmap_r_iad.add_backend(originmap_b_iad_iad-2, "iad-2", weight=2.0);
    originmap_r_iad.add_backend(originmap_b_iad_iad-4, "iad-4", weight=1.0);
    originmap_r_iad.reconfigure(1000);
    new originmap_r_nrt = directors.shard();
    originmap_r_nrt.add_backend(originmap_b_nrt_nrt, "nrt", weight=1.0);
    originmap_r_nrt.reconfigure(1000);
}

sub originmap_to_fra {
    set req.backend_hint = originmap_r_fra.backend(by=KEY, key=originmap_r_fra.key(std.tolower(regsub(req.http.Host, ":[0-9]*$", "")) + req.url));
    set req.http.X-Originmap-Colo = "FRA";
}
sub originmap_to_iad {
    set req.backend_hint = originmap_r_iad.backend(by=KEY, key=originmap_r_iad.key(std.tolower(regsub(req.http.Host, ":[0-9]*$", "")) + req.url));
    set req.http.X-Originmap-Colo = "IAD";
}
sub originmap_to_nrt {
    set req.backend_hint = originmap_r_nrt.backend(by=KEY, key=originmap_r_nrt.key(std.tolower(regsub(req.http.Host, ":[0-9]*$", "")) + req.url));
    set req.http.X-Originmap-Colo = "NRT";
}
sub originmap_fill_fra_iad {
    if (std.healthy(originmap_r_fra.backend())) {
        call originmap_to_fra;
    } else {
        call originmap_to_iad;
    }
}
sub originmap_fill_iad_fra {
    if (std.healthy(originmap_r_iad.backend())) {
        call originmap_to_iad;
    } else {
        call originmap_to_fra;
    }
}
sub originmap_fill_nrt_fra {
    if (std.healthy(originmap_r_nrt.backend())) {
        call originmap_to_nrt;
    } else {
        call originmap_to_fra;
    }
}
sub originmap_choose {
    set req.http.X-Originmap-From = req.http.X-Originmap-Colo;
    unset req.http.X-Originmap-Colo;
    if (req.http.X-Originmap-From == "" || req.http.X-Originmap-From == "hub") {
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
    unset req.http.X-Originmap-From;
}
