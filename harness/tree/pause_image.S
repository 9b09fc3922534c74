/* SPDX-License-Identifier: MIT */
/*
 * A program that waits for a signal for ever, without a libc: what the operation "exec" runs, from
 * outside the mount or, as the file "bin", from the mount itself.
 */
	.globl	_start
	.text
_start:
	mov	$34, %eax	/* pause(2) */
	syscall
	jmp	_start
