/* numpy_api.h: Python's and NumPy's headers, once, the same way for every file of the border. */
#ifndef MLPCORE_NUMPY_API_H
#define MLPCORE_NUMPY_API_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* NumPy 2.0 and later, without what it has deprecated. */
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
/* module.c holds NumPy's table of functions; the other files share it. */
#define PY_ARRAY_UNIQUE_SYMBOL mlpcore_numpy_api
#ifndef MLP_HOLDS_NUMPY_API
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#endif
