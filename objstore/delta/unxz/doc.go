// Package unxz reads files in the format xz that are in memory, as static deltas
// have them: one stream of LZMA2, without other filters.
//
// It takes the container apart itself, because a library that does so takes as much
// memory as a file asks for, up to 4 GiB; here a file that asks for more than a bound
// is refused.
//
// Source: https://tukaani.org/xz/xz-file-format.txt
package unxz
