/* net_call.c: from the engine back to Python: to poll for Ctrl-C and to report progress. See net_object.h. */
#include "net_object.h"

bool mlp_reenter_python(mlp_caller *caller) {
    const bool released = caller->state;
    mlp_restore_gil(caller->state);
    caller->state = NULL;
    return released;
}

void mlp_leave_python(mlp_caller *caller, bool released) { caller->state = released ? PyEval_SaveThread() : NULL; }

void mlp_show_cursor(const mlp_caller *caller) {
    if (caller->counter) {
        caller->counter[0] = caller->cursor->epoch;
        caller->counter[1] = caller->cursor->batches;
    }
}

/* Another thread may write it, or a call that this one made. */
static bool is_stopped(const mlp_caller *caller) {
    return caller->stop && __atomic_load_n(caller->stop, __ATOMIC_RELAXED) != 0;
}

int mlp_poll_python(void *context, ptrdiff_t done) {
    mlp_caller *caller = context;
    if (caller->failed) {
        return true;
    }
    const bool released = mlp_reenter_python(caller);
    if (done > 0) {
        mlp_show_cursor(caller);
    }
    caller->failed = PyErr_CheckSignals() < 0;
    if (!caller->failed && caller->progress) {
        PyObject *answer = PyObject_CallFunction(caller->progress, "n", done);
        caller->failed = !answer;
        Py_XDECREF(answer);
    }
    mlp_leave_python(caller, released);
    return caller->failed || is_stopped(caller);
}

int mlp_end_batch(void *context, ptrdiff_t batch, double loss) {
    mlp_caller *caller = context;
    const bool released = mlp_reenter_python(caller);
    mlp_show_cursor(caller);
    PyObject *answer = PyObject_CallFunction(caller->batch_end, "nd", batch, loss);
    caller->failed = !answer;
    Py_XDECREF(answer);
    mlp_leave_python(caller, released);
    return caller->failed || is_stopped(caller);
}
