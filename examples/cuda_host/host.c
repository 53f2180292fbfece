/* Runs what `nullcline compile --target ptx -o DIR` writes, with the driver alone, in C:
 *
 *     nullcline compile jansen_rit --target ptx -o jansen_rit
 *     cc -O2 examples/cuda_host/host.c -ldl -o host && ./host jansen_rit 1000
 *
 * It needs no header and no library of CUDA: the driver's functions are declared below and looked up in libcuda.so.1.
 * Models with extrinsic inputs are left out here. */

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions of the driver. */

typedef void *handle;
static int (*cu_init)(unsigned);
static int (*cu_device)(int *, int);
static int (*cu_context)(handle *, int);
static int (*cu_current)(handle);
static int (*cu_module)(handle *, const void *);
static int (*cu_function)(handle *, handle, const char *);
static int (*cu_alloc)(uint64_t *, size_t);
static int (*cu_upload)(uint64_t, const void *, size_t);
static int (*cu_download)(void *, uint64_t, size_t);
static int (*cu_launch)(handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, handle, void **,
                        void **);
static int (*cu_text)(int, const char **);

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void check(int code, const char *what) {
    const char *text = "unknown fault";
    if (code != 0) {
        cu_text(code, &text);
        fail(what, text);
    }
}

static void load_driver(void) {
    static const struct {
        void *function;
        const char *name;
    } functions[] = {
        {&cu_init, "cuInit"},
        {&cu_device, "cuDeviceGet"},
        {&cu_context, "cuDevicePrimaryCtxRetain"},
        {&cu_current, "cuCtxSetCurrent"},
        {&cu_module, "cuModuleLoadData"},
        {&cu_function, "cuModuleGetFunction"},
        {&cu_alloc, "cuMemAlloc_v2"},
        {&cu_upload, "cuMemcpyHtoD_v2"},
        {&cu_download, "cuMemcpyDtoH_v2"},
        {&cu_launch, "cuLaunchKernel"},
        {&cu_text, "cuGetErrorString"},
    };
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    if (library == NULL) fail("libcuda.so.1", "there is no NVIDIA driver on this machine");
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *found = dlsym(library, functions[i].name);
        if (found == NULL) fail(functions[i].name, "the driver does not have it");
        memcpy(functions[i].function, &found, sizeof found);
    }
}

/* As much of JSON as a manifest has: a value is a pointer to its first character. */

static const char *blank(const char *at) {
    return at + strspn(at, " \n\t\r,:");
}

static const char *behind(const char *at) {
    at = blank(at);
    if (*at == '"') {
        for (at++; *at != '"'; at++)
            if (*at == '\\') at++;
        return at + 1;
    }
    if (*at == '{' || *at == '[') {
        for (at = blank(at + 1); *at != '}' && *at != ']'; at = blank(at)) at = behind(at);
        return at + 1;
    }
    return at + strcspn(at, " \n\t\r,]}");
}

/* The value of a member, or NULL. */
static const char *member(const char *object, const char *key) {
    size_t length = strlen(key);
    for (const char *at = blank(blank(object) + 1); *at != '}'; at = blank(behind(at))) {
        int same = strncmp(at + 1, key, length) == 0 && at[1 + length] == '"';
        at = behind(at);
        if (same) return blank(at);
    }
    return NULL;
}

/* The first item of an array, or NULL; then the next one. */
static const char *first(const char *array) {
    const char *at = array == NULL || *array != '[' ? NULL : blank(array + 1);
    return at == NULL || *at == ']' ? NULL : at;
}

static const char *next(const char *item) {
    item = blank(behind(item));
    return *item == ']' ? NULL : item;
}

static const char *item(const char *array, long index) {
    const char *at = first(array);
    while (at != NULL && index-- > 0) at = next(at);
    return at;
}

static double number(const char *value) {
    if (value == NULL) return 0;
    /* Numbers that JSON cannot express are strings. */
    return strtod(*value == '"' ? value + 1 : value, NULL);
}

static int is(const char *value, const char *text) {
    size_t length = strlen(text);
    return value != NULL && strncmp(value + 1, text, length) == 0 && value[1 + length] == '"';
}

static char *text_of(const char *value) {
    size_t length = (size_t)(behind(value) - value) - 2;
    char *text = calloc(length + 1, 1);
    memcpy(text, value + 1, length);
    return text;
}

/* Files and memory. */

static char *read_file(const char *directory, const char *name, int needed) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        if (needed) fail(path, "cannot be read");
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = calloc((size_t)size + 1, 1);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) fail(path, "cannot be read");
    fclose(file);
    return bytes;
}

static void put(char *to, double value, char format, size_t index) {
    if (format == 'u') ((uint32_t *)(void *)to)[index] = (uint32_t)value;
    else if (format == 'd') ((double *)(void *)to)[index] = value;
    else ((float *)(void *)to)[index] = (float)value;
}

/* A list of the manifest in memory of the device: one number for `length` elements, an array, or a place in the data. */
static uint64_t upload(const char *values, char format, size_t length, size_t slots, const char *data) {
    size_t size = format == 'd' ? 8 : 4, given = length;
    if (values != NULL && *values == '[')
        for (given = 0; item(values, (long)given) != NULL; given++) {}
    if (values != NULL && *values == '{') given = (size_t)number(member(values, "length"));
    size_t all = (given > length ? given : length) * slots;
    char *bytes = calloc(all + 1, size);
    if (values != NULL && *values == '{') {
        memcpy(bytes, data + (size_t)number(member(values, "offset")), given * size);
    } else if (values != NULL && *values == '[') {
        size_t index = 0;
        for (const char *at = first(values); at != NULL; at = next(at)) put(bytes, number(at), format, index++);
    } else if (values != NULL) {
        for (size_t index = 0; index < length; index++) put(bytes, number(values), format, index);
    }
    uint64_t address;
    check(cu_alloc(&address, (all + 1) * size), "allocating memory");
    check(cu_upload(address, bytes, all * size), "copying to the device");
    free(bytes);
    return address;
}

static char *manifest;
static handle *functions;
static uint64_t *buffers, *constants, marks, times;

/* Launches an entry: addresses of its bindings, then step, number of steps, step size and seed. */
static void launch(long index, uint64_t step, uint64_t steps, double dt) {
    const char *entry = item(member(manifest, "entries"), index);
    uint64_t values[4096], tail[4] = {step, steps, 0, 0};
    void *places[4096];
    size_t count = 0;
    memcpy(&tail[2], &dt, sizeof dt);
    for (const char *at = first(member(entry, "bindings")); at != NULL && count < 4092; at = next(at)) {
        const char *buffer = member(at, "buffer"), *constant = member(at, "constant");
        if (buffer != NULL) values[count++] = buffers[(size_t)number(buffer)];
        else if (constant != NULL) values[count++] = constants[(size_t)number(constant)];
        else if (member(at, "marks") != NULL) values[count++] = marks;
        else if (member(at, "clock") != NULL) values[count++] = times;
        else fail("bindings", "one that this example does not know");
    }
    for (int i = 0; i < 4; i++) values[count++] = tail[i];
    for (size_t i = 0; i < count; i++) places[i] = &values[i];
    unsigned group = (unsigned)number(member(entry, "group"));
    unsigned groups = ((unsigned)number(member(entry, "extent")) + group - 1) / group;
    check(cu_launch(functions[index], groups, 1, 1, group, 1, 1, 0, NULL, places, NULL), "launching a kernel");
}

static void launch_all(const char *list, uint64_t step, double dt) {
    for (const char *at = first(list); at != NULL; at = next(at)) launch((long)number(at), step, 1, dt);
}

int main(int argc, char **argv) {
    if (argc != 3) fail("usage", "host DIRECTORY STEPS");
    uint64_t steps = strtoull(argv[2], NULL, 10);
    manifest = read_file(argv[1], "manifest.json", 1);
    char *code = read_file(argv[1], "model.ptx", 1), *data = read_file(argv[1], "model.bin", 0);
    const char *phases = member(manifest, "phases");
    double dt = number(member(manifest, "dt"));
    char format = is(member(manifest, "precision"), "f64") ? 'd' : 'f';
    size_t entries = 0, index = 0;
    for (const char *at = first(member(manifest, "entries")); at != NULL; at = next(at)) entries++;
    printf("%s: %zu entries\n", text_of(member(manifest, "model")), entries);
    fflush(stdout);
    if (first(member(manifest, "inputs")) != NULL) fail("inputs", "this example does without extrinsic inputs");

    load_driver();
    int device;
    handle context, module;
    check(cu_init(0), "starting the driver");
    check(cu_device(&device, 0), "finding a device");
    check(cu_context(&context, device), "opening the device");
    check(cu_current(context), "opening the device");
    check(cu_module(&module, code), "compiling the kernels");

    functions = calloc(entries, sizeof *functions);
    for (const char *at = first(member(manifest, "entries")); at != NULL; at = next(at))
        check(cu_function(&functions[index++], module, text_of(member(at, "name"))), "finding an entry");
    size_t most = 0;
    buffers = calloc(strlen(manifest), sizeof *buffers);
    index = 0;
    for (const char *at = first(member(manifest, "buffers")); at != NULL; at = next(at)) {
        size_t length = (size_t)number(member(at, "length")), slots = (size_t)number(member(at, "slots"));
        if (is(member(at, "role"), "history") && slots > most) most = slots;
        buffers[index++] = upload(member(at, "initial"), format, length, slots, data);
    }
    constants = calloc(strlen(manifest), sizeof *constants);
    index = 0;
    for (const char *at = first(member(manifest, "constants")); at != NULL; at = next(at)) {
        char own = is(member(at, "format"), "u32") ? 'u' : format;
        constants[index++] = upload(member(at, "values"), own, 1, 1, data);
    }

    /* Where recorded events are marked; this host does not look at it. */
    const char *ring = member(manifest, "marks");
    if (ring != NULL)
        marks = upload(NULL, 'u', (size_t)number(member(ring, "rows")) * (size_t)number(member(ring, "words")), 1, data);

    /* What entries count steps and rows from; this host gives them the numbers themselves. */
    times = upload(NULL, 'u', 4, 1, data);

    launch_all(member(phases, "setup"), 0, dt);
    if (is(member(manifest, "pre_history"), "initial"))
        for (long pass = (long)number(member(manifest, "history_passes")); pass > 0; pass--)
            for (size_t slot = 0; slot < most; slot++) launch_all(member(phases, "remember"), slot, 0);
    const char *many = member(manifest, "steps");
    if (*many != 'n') {
        launch((long)number(many), 0, steps, dt);
    } else {
        for (uint64_t step = 0; step < steps; step++) {
            launch_all(member(manifest, "feed"), step, dt);
            launch_all(member(phases, "step"), step, dt);
        }
    }
    launch_all(member(manifest, "feed"), steps, dt);
    launch_all(member(phases, "observe"), steps, dt);
    for (const char *at = first(member(manifest, "columns")); at != NULL; at = next(at)) {
        double wide = 0;
        float narrow = 0;
        size_t size = format == 'd' ? 8 : 4;
        uint64_t address = buffers[(size_t)number(member(at, "buffer"))] + (uint64_t)number(member(at, "element")) * size;
        check(cu_download(format == 'd' ? (void *)&wide : (void *)&narrow, address, size), "computing");
        printf("%s = %.17g\n", text_of(member(at, "name")), format == 'd' ? wide : (double)narrow);
    }
    return 0;
}
