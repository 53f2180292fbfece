/* W4: 4000 leaky integrate-and-fire units (Vogels and Abbott 2005). args: conductances(0|1) steps reps */
#include "common.h"
enum { N = 4000, EXCITATORY = 3200, REFRACTORY = 50, GROUP = 32 };
int main(int argc, char **argv) {
    int coba = argc > 1 ? atoi(argv[1]) : 0; long steps = argc > 2 ? atol(argv[2]) : 10000; int reps = argc > 3 ? atoi(argv[3]) : 1;
    const double dt = 0.1, tau = 20, tau_e = 5, tau_i = 10;
    const double keep_v = exp(-dt / tau), keep_e = exp(-dt / tau_e), keep_i = exp(-dt / tau_i);
    const double from_e = tau_e / (tau_e - tau) * (keep_e - keep_v), from_i = tau_i / (tau_i - tau) * (keep_i - keep_v);
    uint32_t *starts = xalloc((N + 1) * 4), *targets = xalloc((size_t)N * N / 25 * 4), count = 0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) if (u01(41, (uint64_t)i * N + j) < 0.02) targets[count++] = j;
        starts[i + 1] = count;
    }
    double *restrict v = xalloc(N * 8), *restrict e = xalloc(N * 8), *restrict g = xalloc(N * 8);
    int *restrict free_from = xalloc(N * 4), *spiking = xalloc(N * 4); long spikes = 0, early = 0;
    for (int rep = 0; rep < reps; rep++) {
        for (int i = 0; i < N; i++) {
            double u = u01(42, i);
            v[i] = coba ? -60 - 10 * u : -60 + 10 * u;
            e[i] = coba ? fmax(0, 4 + 1.5 * sqrt(3.0) * (2 * u01(43, i) - 1)) : 0;
            g[i] = coba ? fmax(0, 20 + 12 * sqrt(3.0) * (2 * u01(44, i) - 1)) : 0;
            free_from[i] = 0;
        }
        spikes = early = 0; double t0 = now(), c0 = cpu();
        for (long step = 0; step < steps; step++) {
            int at = (int)step;
            if (coba) for (int i = 0; i < N; i++) {
                double next = v[i] + dt * ((-60 - v[i] - e[i] * v[i] + g[i] * (-80 - v[i])) / tau);
                v[i] = at < free_from[i] ? v[i] : next; e[i] -= dt * e[i] / tau_e; g[i] -= dt * g[i] / tau_i;
            } else for (int i = 0; i < N; i++) {
                double next = -49 + (v[i] + 49) * keep_v + e[i] * from_e + g[i] * from_i;
                v[i] = at < free_from[i] ? v[i] : next; e[i] *= keep_e; g[i] *= keep_i;
            }
            /* Groups without a unit above threshold are passed over by one vectorised test. */
            int now_spiking = 0;
            for (int i = 0; i < N; i += GROUP) {
                int any = 0;
                for (int k = i; k < i + GROUP; k++) any |= v[k] > -50;
                if (any) for (int k = i; k < i + GROUP; k++) if (v[k] > -50 && at >= free_from[k]) spiking[now_spiking++] = k;
            }
            for (int s = 0; s < now_spiking; s++) {
                int i = spiking[s]; double *to = i < EXCITATORY ? e : g, w = i < EXCITATORY ? (coba ? 0.6 : 1.62) : (coba ? 6.7 : -9);
                for (uint32_t k = starts[i]; k < starts[i + 1]; k++) to[targets[k]] += w;
            }
            for (int s = 0; s < now_spiking; s++) { v[spiking[s]] = -60; free_from[spiking[s]] = at + REFRACTORY; }
            spikes += now_spiking; if (step < 100) early += now_spiking;
        }
        printf("T %.9f %.9f\n", now() - t0, cpu() - c0);
    }
    printf("J %ld %ld\n", spikes, early);
}
