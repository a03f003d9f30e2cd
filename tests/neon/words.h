/* words.h: what train.c reads from the other end of its pipe, words and arrays, and writes there, arrays. */
static _Noreturn void give_up(const char *why, const char *what) {
    fprintf(stderr, "train: %s %s\n", why, what);
    exit(2);
}

/* ------------------------------------------------------------------------------------------- what the other end says */

static char line[1 << 16];

static const char *word(void) {
    const char *next = strtok(NULL, " \n");
    return next ? next : (give_up("a line ends too early:", line), NULL);
}

static ptrdiff_t whole(void) { return (ptrdiff_t)strtoll(word(), NULL, 10); }
static double number(void) { return strtod(word(), NULL); }

static int choice(const mlp_entry *entries) {
    const char *name = word();
    for (int i = 0; entries[i].name; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return i;
        }
    }
    give_up("nothing is called", name);
}

static void standard_constants(const mlp_entry *row, double *constants) {
    for (int i = 0; row->hypers[i].name; i++) {
        constants[i] = row->hypers[i].standard;
    }
}

/* A row of the catalogue by name, and values of its first constants. */
static int entry(const mlp_entry *entries, double *constants) {
    const int id = choice(entries);
    const ptrdiff_t count = whole();
    standard_constants(&entries[id], constants);
    for (ptrdiff_t i = 0; i < count; i++) {
        if (i == MLP_HYPERS) {
            give_up("too many constants of", entries[id].name);
        }
        constants[i] = number();
    }
    return id;
}

static void *array(ptrdiff_t count, size_t size) {
    void *block = memory(count, size);
    if (fread(block, size, (size_t)count, stdin) != (size_t)count) {
        give_up("an array ends", "too early");
    }
    return block;
}

static void answer(const void *numbers, ptrdiff_t count, size_t size) {
    if (fwrite(numbers, size, (size_t)count, stdout) != (size_t)count || fflush(stdout)) {
        give_up("the answer", "cannot be written");
    }
}
