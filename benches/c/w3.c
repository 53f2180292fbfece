/* W3: rate network with a dense matrix, Euler. args: n steps reps ; -DREAL=float|double */
#include "common.h"
#ifndef REAL
#define REAL double
#endif
/* Rows of the matrix four at a time, each a sum of vectors: as fast as memory delivers the matrix. */
typedef REAL vec __attribute__((vector_size(64), aligned(sizeof(REAL)), may_alias));
enum { LANES = 64 / sizeof(REAL), ROWS = 4 };
static REAL total(vec v) { REAL s = 0; for (int l = 0; l < LANES; l++) s += v[l]; return s; }
static void product(const REAL *restrict m, const REAL *restrict r, REAL *restrict out, int n) {
    int whole = n / LANES * LANES;
    for (int i = 0; i < n; i += ROWS) {
        vec sum[ROWS] = {0}; REAL rest[ROWS] = {0}; const REAL *row = m + (size_t)i * n;
        for (int j = 0; j < whole; j += LANES)
            for (int k = 0; k < ROWS; k++) sum[k] += *(const vec *)(row + (size_t)k * n + j) * *(const vec *)(r + j);
        for (int j = whole; j < n; j++) for (int k = 0; k < ROWS; k++) rest[k] += row[(size_t)k * n + j] * r[j];
        for (int k = 0; k < ROWS; k++) out[i + k] = total(sum[k]) + rest[k];
    }
}
int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 1000; long steps = argc > 2 ? atol(argv[2]) : 1000; int reps = argc > 3 ? atoi(argv[3]) : 1;
    REAL *m = xalloc((size_t)n * n * sizeof(REAL)), *x = xalloc(n * sizeof(REAL)), *r = xalloc(n * sizeof(REAL)), *in = xalloc(n * sizeof(REAL)), *b = xalloc(n * sizeof(REAL));
    double scale = 0.9 * sqrt(3.0 / n);
    for (size_t e = 0; e < (size_t)n * n; e++) m[e] = (REAL)(scale * (2 * u01(31, e) - 1));
    for (int i = 0; i < n; i++) b[i] = (REAL)(2 * u01(32, i) - 1);
    for (int rep = 0; rep < reps; rep++) {
        for (int i = 0; i < n; i++) x[i] = (REAL)(2 * u01(33, i) - 1);
        double t0 = now(), c0 = cpu();
        for (long step = 0; step < steps; step++) {
            REAL drive = (REAL)sin(2 * M_PI * step / 100);
            for (int i = 0; i < n; i++) r[i] = sizeof(REAL) == 4 ? (REAL)tanhf((float)x[i]) : (REAL)tanh((double)x[i]);
            product(m, r, in, n);
            for (int i = 0; i < n; i++) x[i] += (REAL)0.1 * (in[i] - x[i] + b[i] * drive);
        }
        printf("T %.9f %.9f\n", now() - t0, cpu() - c0);
    }
    printf("J %.12g %.12g\n", (double)x[0], (double)x[n - 1]);
}
