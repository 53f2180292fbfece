/* What one core can do: fused multiply-adds in registers, and reading memory far larger than the caches. */
#include "common.h"

typedef double vector __attribute__((vector_size(64)));
enum { CHAINS = 12, TURNS = 4000000, ROUNDS = 5 };

static double multiply_adds(void) {
    vector x[CHAINS];
    for (int i = 0; i < CHAINS; i++) x[i] = (vector){0} + i;
    vector a = (vector){0} + 0.999, b = (vector){0} + 1e-3;
    double start = cpu();
    for (int turn = 0; turn < TURNS; turn++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a + b;
    }
    double seconds = cpu() - start;
    for (int i = 1; i < CHAINS; i++) x[0] += x[i];
    if (x[0][0] == 12345.0) puts("");
    return 2.0 * 8 * CHAINS * TURNS / seconds / 1e9;
}

static double reading(const vector *data, size_t count) {
    vector sum[8] = {{0}};
    double start = cpu();
    for (size_t i = 0; i + 8 <= count; i += 8)
        for (int k = 0; k < 8; k++) sum[k] += data[i + k];
    double seconds = cpu() - start;
    for (int k = 1; k < 8; k++) sum[0] += sum[k];
    if (sum[0][0] == 12345.0) puts("");
    return count * sizeof(vector) / seconds / 1e9;
}

int main(void) {
    size_t count = (size_t)256 << 20 >> 6;
    vector *data = xalloc(count * sizeof(vector));
    double flops = 0, bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double f = multiply_adds(), b = reading(data, count);
        if (f > flops) flops = f;
        if (b > bytes) bytes = b;
    }
    printf("P %.3f %.3f\n", flops, bytes);
}
