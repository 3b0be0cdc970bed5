vcl 4.1;

import directors;
import std;

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

sub vcl_init {
    new originmap_d_fra_iad = directors.fallback();
    originmap_d_fra_iad.add_backend(originmap_b_fra);
    originmap_d_fra_iad.add_backend(originmap_b_iad);
}

sub originmap_choose {
}
