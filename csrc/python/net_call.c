/* net_call.c: from the engine back to Python: to poll for Ctrl-C, to report progress, to append scores. See net_object.h. */
#include "net_object.h"

#include <math.h>

bool mlp_reenter_python(mlp_caller *caller) {
    const bool released = caller->state;
    mlp_restore_gil(caller->state);
    caller->state = NULL;
    return released;
}

void mlp_leave_python(mlp_caller *caller, bool released) { caller->state = released ? PyEval_SaveThread() : NULL; }

int mlp_append_scores(mlp_scores *scores, ptrdiff_t batches_done) {
    const ptrdiff_t epochs = (scores->first_batch + batches_done) / scores->batches_of_an_epoch;
    for (; scores->appended < epochs; scores->appended++) {
        const mlp_score score = scores->score[scores->appended];
        PyObject *pair = Py_BuildValue("dd", score.loss, scores->has_accuracy ? score.accuracy : (double)NAN);
        int status = pair ? PyList_Append(scores->list, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

int mlp_poll_python(void *context, ptrdiff_t done) {
    mlp_caller *caller = context;
    const bool released = mlp_reenter_python(caller);
    caller->failed = (caller->scores && mlp_append_scores(caller->scores, done) < 0) || PyErr_CheckSignals() < 0;
    if (!caller->failed && caller->progress) {
        PyObject *answer = PyObject_CallFunction(caller->progress, "n", done);
        caller->failed = !answer;
        Py_XDECREF(answer);
    }
    mlp_leave_python(caller, released);
    return caller->failed;
}
