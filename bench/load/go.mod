module pykube-cp/bench/load

go 1.25
