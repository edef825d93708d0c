/* The version of KBUS, and so of this library. The file VERSION at the root of the sources says which; `make version` there
 * writes it here. */
#ifndef KBUS_VERSION_H
#define KBUS_VERSION_H

#define KBUS_VERSION "0.2.0"

#endif
