// Quantiles of the gamma distribution.
#pragma once

namespace safeguard::eval {

// The x at which P(X <= x) = share, X of a gamma distribution of the given shape and scale 1.
// REQUIRES: shape > 0, 0 < share < 1. To about 1e-10 of x.
double GammaQuantile(double shape, double share);

}  // namespace safeguard::eval
