/* Independent Jansen-Rit columns that differ in their input, Euler; the parameters of w1. args: columns steps */
#include "common.h"

static double sigmoid(double x) { return 5.0 / (1.0 + exp(0.56 * (6.0 - x))); }

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 10000, steps = argc > 2 ? atol(argv[2]) : 1000;
    double *y = xalloc(6 * n * sizeof(double)), *p = xalloc(n * sizeof(double));
    double *restrict y0 = y, *restrict y1 = y + n, *restrict y2 = y + 2 * n;
    double *restrict y3 = y + 3 * n, *restrict y4 = y + 4 * n, *restrict y5 = y + 5 * n;
    const double dt = 1e-4;
    for (long k = 0; k < n; k++) p[k] = 120.0 + 200.0 * k / (n - 1);
    double wall = now(), time = cpu();
    for (long step = 0; step < steps; step++) {
        for (long k = 0; k < n; k++) {
            double d3 = 325.0 * sigmoid(y1[k] - y2[k]) - 200.0 * y3[k] - 1e4 * y0[k];
            double d4 = 325.0 * (p[k] + 108.0 * sigmoid(135.0 * y0[k])) - 200.0 * y4[k] - 1e4 * y1[k];
            double d5 = 1100.0 * 33.75 * sigmoid(33.75 * y0[k]) - 100.0 * y5[k] - 2500.0 * y2[k];
            y0[k] += dt * y3[k];
            y1[k] += dt * y4[k];
            y2[k] += dt * y5[k];
            y3[k] += dt * d3;
            y4[k] += dt * d4;
            y5[k] += dt * d5;
        }
    }
    printf("T %.9f %.9f\n", now() - wall, cpu() - time);
    printf("V %.17g\n", y0[n - 1]);
}
