# Capistrano 3: what a release needs comes out of vbuild's caches, before the release becomes the current one.
# Copy this file to lib/capistrano/tasks/. The settings, each with its default:
#
#   set :vbuild, 'vbuild'                            # the program on the servers; may be more words, such as 'nice vbuild'
#   set :vbuild_roles, :all                          # the servers that it is about
#   set :vbuild_targets, []                          # packages; the defaults of the Buildfile when none is named
#   set :vbuild_buildfile, 'Buildfile.ts'            # in the release, which is the folder :repo_tree of the branch where that is set
#   set :vbuild_prefix, 'vendor'                     # in the release
#   set :vbuild_cache, -> { shared_path.join('vbuild') }  # the disk cache that all releases share
#   set :vbuild_files, %w[Buildfile.ts Buildfile.lock patches]  # what the check reads, of the branch in the local clone
#
# Credentials of a bucket belong into :default_env. "cap production vbuild:check" asks at any time.

require 'English'
require 'shellwords'
require 'stringio'

namespace :load do
  task :defaults do
    set :vbuild, 'vbuild'
    set :vbuild_roles, :all
    set :vbuild_targets, []
    set :vbuild_buildfile, 'Buildfile.ts'
    set :vbuild_prefix, 'vendor'
    set :vbuild_cache, -> { shared_path.join('vbuild') }
    set :vbuild_files, %w[Buildfile.ts Buildfile.lock patches]
  end
end

namespace :vbuild do
  def vbuild_words(command, prefix)
    words = [command, '--prefix', prefix, '-f', fetch(:vbuild_buildfile), *Array(fetch(:vbuild_targets))]
    # A program of several words would be run without the others that are given to it, so it is none to SSHKit.
    [:env, fetch(:vbuild), *words.map { |word| word.to_s.shellescape }]
  end

  desc 'Ask whether the caches have all that the branch needs and whether it fits the servers; changes nothing'
  task :check do
    # A rollback must not depend on what the branch needs today.
    next if Rake.application.top_level_tasks.include?('deploy:rollback')

    git = lambda do |*arguments|
      said = IO.popen(['git', *arguments], 'rb', &:read)
      raise "git #{arguments.shelljoin} failed" unless $CHILD_STATUS.success?

      said
    end
    top = git.call('rev-parse', '--show-toplevel').chomp
    tree = [fetch(:branch), fetch(:repo_tree)].compact.join(':')
    files = git.call('-C', top, 'ls-tree', '-z', '--name-only', tree, '--', *fetch(:vbuild_files)).split("\0")
    raise "the local clone has no #{fetch(:vbuild_buildfile)} in #{tree}" unless files.include?(fetch(:vbuild_buildfile))

    # Where the release will be: what is compiled in may not fit a path of another length.
    prefix = releases_path.join(now, fetch(:vbuild_prefix))
    archive = git.call('-C', top, 'archive', '--format=tar', tree, '--', *files)

    on release_roles(fetch(:vbuild_roles)) do
      folder = capture(:mktemp, '-d')
      begin
        upload! StringIO.new(archive), "#{folder}/files.tar"
        within folder do
          execute :tar, '-xf', 'files.tar'
          with(vbuild_cache: fetch(:vbuild_cache)) { execute(*vbuild_words('check', prefix), '--no-install') }
        end
      ensure
        execute :rm, '-rf', folder
      end
    end
  end

  desc 'Install what the release needs into the release; what is there already is left alone'
  task :install do
    on release_roles(fetch(:vbuild_roles)) do
      within release_path do
        with vbuild_cache: fetch(:vbuild_cache) do
          execute(*vbuild_words('install', fetch(:vbuild_prefix)))
        end
      end
    end
  rescue StandardError
    # Else a rollback would take what never became current for the release before this one.
    on(release_roles(:all)) { execute :rm, '-rf', release_path } if fetch(:deploying)
    raise
  end
end

after 'deploy:check', 'vbuild:check'
before 'deploy:symlink:release', 'vbuild:install'
# The release that is gone back to is made sure of before anything is switched.
after 'deploy:reverting', 'vbuild:install'
