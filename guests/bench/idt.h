// An IDT whose gates lead to the handlers of loops.S.
#pragma once
void install_exception_handlers(void);
