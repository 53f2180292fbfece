/* A population of Izhikevich's neurons (2003) that differ in their input, Euler; spikes are listed.
   args: neurons steps. -DREAL=float for single precision. */
#include "common.h"
#ifndef REAL
#define REAL double
#endif
enum { GROUP = 64 / sizeof(REAL) * 2 };

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1000, steps = argc > 2 ? atol(argv[2]) : 10000;
    long room = (n + GROUP - 1) / GROUP * GROUP;
    REAL *restrict v = xalloc(room * sizeof(REAL)), *restrict u = xalloc(room * sizeof(REAL)), *restrict in = xalloc(room * sizeof(REAL));
    const REAL dt = 0.1, a = 0.02, b = 0.2, c = -65, d = 8, peak = 30;
    /* The last ones, beyond the population, get no input and never spike. */
    for (long k = 0; k < room; k++) { v[k] = -65; u[k] = -13; in[k] = k < n ? 4 + 16 * (double)k / (n - 1) : 0; }
    size_t most = 1 << 20, count = 0; uint32_t *units = xalloc(most * 4), *times = xalloc(most * 4);
    double wall = now(), time = cpu();
    for (long step = 0; step < steps; step++) {
        for (long k = 0; k < room; k += GROUP) {
            int any = 0;
            for (long i = k; i < k + GROUP; i++) {
                REAL dv = (REAL)0.04 * v[i] * v[i] + 5 * v[i] + 140 - u[i] + in[i], du = a * (b * v[i] - u[i]);
                v[i] += dt * dv;
                u[i] += dt * du;
                any |= v[i] >= peak;
            }
            if (any) for (long i = k; i < k + GROUP; i++) if (v[i] >= peak) {
                v[i] = c;
                u[i] += d;
                if (count == most) {
                    units = realloc(units, most * 8); times = realloc(times, most * 8); most *= 2;
                }
                units[count] = i; times[count++] = step;
            }
        }
    }
    printf("T %.9f %.9f\n", now() - wall, cpu() - time);
    printf("V %zu\n", count);
    return units[count / 2] + times[count / 2] == 4294967295u;
}
