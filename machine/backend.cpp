#include "machine/backend.h"

#include <array>

#include "kvm/machine_vcpu.h"
#include "machine/bare_vcpu.h"
#include "machine/processor_parts.h"

namespace softvt {
namespace {

struct BackendRow {
  Accel accel;
  std::string_view name;
  std::unique_ptr<Backend> (*open)(PhysMemory& memory, std::string& error);
};

std::unique_ptr<Backend> open_bare(PhysMemory& memory, std::string&) {
  return std::make_unique<BareBackend>(memory);
}

template <kvm::Vendor vendor>
std::unique_ptr<Backend> open_layer(PhysMemory& memory, std::string&) {
  const ProcessorParts& parts = processor_parts();
  return kvm::open_machine_backend(vendor, memory, {parts.instructions, parts.msrs});
}

std::unique_ptr<Backend> open_nothing(PhysMemory&, std::string& error) {
  error = "not part of this build";
  return nullptr;
}

constexpr std::array kBackends{
    BackendRow{Accel::Bare, "bare", open_bare},
    BackendRow{Accel::Vmx, "vmx", open_layer<kvm::Vendor::Vmx>},
    BackendRow{Accel::Svm, "svm", open_layer<kvm::Vendor::Svm>},
    BackendRow{Accel::Kvm, "kvm", open_nothing},
};

const BackendRow& row_of(Accel accel) { return kBackends[static_cast<size_t>(accel)]; }

}  // namespace

std::string_view accel_name(Accel accel) { return row_of(accel).name; }

std::optional<Accel> accel_from_name(std::string_view name) {
  for (const BackendRow& row : kBackends) {
    if (row.name == name) return row.accel;
  }
  return std::nullopt;
}

std::string accel_names() {
  std::string names;
  for (const BackendRow& row : kBackends) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

std::unique_ptr<Backend> open_backend(Accel accel, PhysMemory& memory, std::string& error) {
  auto backend = row_of(accel).open(memory, error);
  if (backend == nullptr) {
    error = "accelerator '" + std::string(accel_name(accel)) + "' is not available: " + error;
  }
  return backend;
}

}  // namespace softvt
