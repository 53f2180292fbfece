/* W2: n Jansen-Rit columns coupled with a delay per connection, Euler. args: n steps reps */
#include "common.h"
enum { RING = 256 };
static const double gain_a = 3.25, gain_b = 22, rate_a = 100, rate_b = 50, conn = 135, dt = 1e-4, strength = 50;
static inline double rate(double v) { return 5.0 / (1 + exp(0.56 * (6.0 - v))); }
/* the delayed input of one column: the past of all sources, ring slot by ring slot */
static double delayed(const double *restrict w, const uint8_t *restrict d, const double *restrict ring, long step, int n) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += w[j] * ring[(((uint32_t)step - d[j]) & (RING - 1)) * (uint32_t)n + j];
    return sum;
}
int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 100; long steps = argc > 2 ? atol(argv[2]) : 1000; int reps = argc > 3 ? atoi(argv[3]) : 1;
    double *w = xalloc((size_t)n * n * 8), *p = xalloc(n * 8), *in = xalloc(n * 8), *y = xalloc(6 * (size_t)n * 8), *ring = xalloc((size_t)RING * n * 8);
    uint8_t *d = xalloc((size_t)n * n);
    for (int k = 0; k < n; k++) {
        double sum = 0;
        for (int j = 0; j < n; j++) {
            size_t e = (size_t)k * n + j;
            w[e] = j == k ? 0 : u01(21, e);
            d[e] = (uint8_t)(10 + (int)(191 * u01(22, e)));
            sum += w[e];
        }
        for (int j = 0; j < n; j++) w[(size_t)k * n + j] *= strength / sum;
        p[k] = 100 + 80 * u01(23, k);
    }
    double *y0 = y, *y1 = y + n, *y2 = y + 2 * n, *y3 = y + 3 * n, *y4 = y + 4 * n, *y5 = y + 5 * n;
    for (int rep = 0; rep < reps; rep++) {
        memset(y, 0, 6 * (size_t)n * 8);
        for (size_t i = 0; i < (size_t)RING * n; i++) ring[i] = rate(0);
        double t0 = now(), c0 = cpu();
        for (long step = 0; step < steps; step++) {
            double *slot = ring + (size_t)(step & (RING - 1)) * n;
            for (int k = 0; k < n; k++) slot[k] = rate(y1[k] - y2[k]);
            for (int k = 0; k < n; k++) in[k] = delayed(w + (size_t)k * n, d + (size_t)k * n, ring, step, n);
            for (int k = 0; k < n; k++) {
                double a3 = gain_a * rate_a * slot[k] - 2 * rate_a * y3[k] - rate_a * rate_a * y0[k];
                double a4 = gain_a * rate_a * (p[k] + 0.8 * conn * rate(conn * y0[k]) + in[k]) - 2 * rate_a * y4[k] - rate_a * rate_a * y1[k];
                double a5 = gain_b * rate_b * 0.25 * conn * rate(0.25 * conn * y0[k]) - 2 * rate_b * y5[k] - rate_b * rate_b * y2[k];
                y0[k] += dt * y3[k]; y1[k] += dt * y4[k]; y2[k] += dt * y5[k];
                y3[k] += dt * a3; y4[k] += dt * a4; y5[k] += dt * a5;
            }
        }
        printf("T %.9f %.9f\n", now() - t0, cpu() - c0);
    }
    printf("J %.12g %.12g\n", y1[0] - y2[0], y1[n - 1] - y2[n - 1]);
}
