/* SPDX-License-Identifier: MIT */
/* pause_image.S, linked, as bytes: pause_image_start .. pause_image_end. */
	.section .rodata
	.globl	pause_image_start, pause_image_end
pause_image_start:
	.incbin	PAUSE_IMAGE
pause_image_end:
	.byte	0
	.section .note.GNU-stack, "", @progbits
