module centripush/bench/peers/go

go 1.22
