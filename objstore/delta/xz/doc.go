// Package xz compresses parts of static deltas: to one stream of the .xz format, with LZMA2 and
// CRC64, as xz -8 does and about as well.
//
// The bytes are parsed into literals, matches and repetitions of the last four distances so that
// they cost the fewest bits by what the coder has learned so far; to take the longest match each time
// makes them an eighth larger. Matches are found with binary trees of what came before.
//
// Sources: the .xz file format (https://tukaani.org/xz/xz-file-format.txt) and the LZMA
// specification in Igor Pavlov's LZMA SDK.
package xz
