/* bind_catalogue.c: the catalogue for Python: names, ranges and formulas as plain data. */
#include "arrays.h"

/* A list of texts that ends with NULL, as a tuple. */
static PyObject *tuple_of_texts(const char *const *texts) {
    Py_ssize_t count = 0;
    while (texts[count]) {
        count++;
    }
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *text = PyUnicode_FromString(texts[i]);
        if (!text) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, text);
    }
    return tuple;
}

/* The arrays that an optimizer keeps: their names, or the hyperparameters that they are kept for, None where always. */
static PyObject *tuple_of_states(const mlp_state *states, bool conditions) {
    Py_ssize_t count = 0;
    while (states[count].name) {
        count++;
    }
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *text = Py_BuildValue("z", conditions ? states[i].only_if : states[i].name);
        if (!text) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, text);
    }
    return tuple;
}

/* (name, default, least, below, whether it is a flag, least in float32) each */
static PyObject *tuple_of_hypers(const mlp_hyper *hypers) {
    Py_ssize_t count = 0;
    while (hypers[count].name) {
        count++;
    }
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        const mlp_hyper *h = &hypers[i];
        PyObject *hyper = Py_BuildValue("sdddOd", h->name, h->standard, h->least, h->below,
                                        h->is_flag ? Py_True : Py_False, h->least_f32 > 0 ? h->least_f32 : h->least);
        if (!hyper) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, hyper);
    }
    return tuple;
}

static PyObject *tuple_of_traits(unsigned traits) {
    const char *names[8 * sizeof traits + 1] = {NULL};
    int count = 0;
    for (int bit = 0; mlp_trait_names[bit]; bit++) {
        if (traits >> bit & 1) {
            names[count++] = mlp_trait_names[bit];
        }
    }
    return tuple_of_texts(names);
}

static PyObject *dict_of(const mlp_entry *entry) {
    return Py_BuildValue("{s:s,s:z,s:z,s:s,s:z,s:z,s:N,s:N,s:N,s:N,s:d,s:d}", "name", entry->name, "alias",
                         entry->alias, "class_name", entry->class_name, "formula", entry->formula, "derivative",
                         entry->derivative, "source", entry->source, "hypers", tuple_of_hypers(entry->hypers), "states",
                         tuple_of_states(entry->states, false), "states_if", tuple_of_states(entry->states, true),
                         "traits", tuple_of_traits(entry->traits), "least", entry->least, "most", entry->most);
}

/* The rows of a family, each a dict. */
static PyObject *list_of(const mlp_entry *entries) {
    PyObject *list = PyList_New(0);
    for (const mlp_entry *entry = entries; list && entry->name; entry++) {
        PyObject *dict = dict_of(entry);
        if (!dict || PyList_Append(list, dict) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(dict);
    }
    return list;
}

static PyObject *catalogue(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    PyObject *families = PyDict_New();
    for (const mlp_family *family = mlp_catalogue; families && family->name; family++) {
        PyObject *entries = list_of(family->entries);
        if (!entries || PyDict_SetItemString(families, family->name, entries) < 0) {
            Py_CLEAR(families);
        }
        Py_XDECREF(entries);
    }
    return families;
}

PyMethodDef mlp_catalogue_methods[] = {
    {"catalogue", catalogue, METH_NOARGS, "catalogue($module)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};
